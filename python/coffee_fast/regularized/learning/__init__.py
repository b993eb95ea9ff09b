"""Players who learn from what they are paid, what a learner's play says to those who face it, and imitation of play."""
