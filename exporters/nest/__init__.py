"""The NEST target: C++ extension modules, PyNEST scripts, PyNN cell types."""
