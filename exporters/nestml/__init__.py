"""NESTML 9 as a target: models of neurons and synapses as people write them."""
