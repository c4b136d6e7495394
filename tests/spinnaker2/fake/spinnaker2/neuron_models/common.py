"""Stand-in for py-spinnaker2: routing words."""

N_WORDS_MPT_ENTRY = 3


def format_routing_info(mapper, pe):
    targets = mapper.targets(pe)
    return len(targets), targets
