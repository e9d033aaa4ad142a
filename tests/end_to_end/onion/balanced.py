"""Debian's onionbalance on a private network, with the times of that network.

It knows two networks: the public one, and with --is-testnet one whose authorities vote every 20 seconds. The private network
of the tests votes less often, and C Tor counts its time periods in votes (get_time_period_length in feature/hs/hs_common.c).
So the length of a vote is taken from the consensus here. Everything else is as it is.
"""

import stem.util
from onionbalance import manager
from onionbalance.hs_v3 import params
from onionbalance.hs_v3.consensus import Consensus


def voting_seconds(self):
    document = self.consensus
    return int((document.fresh_until - document.valid_after).total_seconds())


def start_of_current_run(self):
    seconds = voting_seconds(self)
    now = int(stem.util.datetime_to_unix(self.consensus.valid_after))
    return now - now // seconds % 24 * seconds


Consensus.get_time_period_length = lambda self: 24 * voting_seconds(self) // 60
Consensus._get_srv_phase_duration = lambda self: 12 * voting_seconds(self) // 60
Consensus.get_start_time_of_current_srv_run = start_of_current_run
Consensus.get_start_time_of_previous_srv_run = lambda self: start_of_current_run(self) - 24 * voting_seconds(self)
params.INITIAL_CALLBACK_DELAY = 3

manager.main()
