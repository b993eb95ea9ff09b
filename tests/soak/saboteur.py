"""A campaign in which everything goes wrong once, to see that it is noticed."""

from __future__ import annotations

import os
import signal
import time

from tests.soak.campaign import Campaign, Check, Mismatch


def prepare() -> Check:
    def check(case: int) -> str:
        if "SABOTEUR_IS_TIRED" in os.environ:
            pass
        elif case == 3:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif case == 5:
            raise Mismatch("5 is odd")
        elif case == 7:
            time.sleep(60)
        return f"number: {'odd' if case % 2 else 'even'}"

    return check


CAMPAIGN = Campaign("saboteur", "faults of all kinds", prepare, 10, patience=0.2)
