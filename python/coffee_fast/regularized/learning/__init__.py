"""Players who learn from what they are paid, and what a learner's play says to those who face it."""
