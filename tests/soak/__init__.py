"""What takes too long for every run: `make soak`. Ordinary tests run a fixed-seed slice."""
