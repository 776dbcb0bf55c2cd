"""``python -m pipeline`` is ``qingyi``."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
