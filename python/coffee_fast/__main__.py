"""``python -m coffee_fast`` is ``coffee-fast``."""

from coffee_fast.cli import main

if __name__ == "__main__":
    main()
