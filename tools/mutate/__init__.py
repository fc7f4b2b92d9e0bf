"""Changes one thing at a time in lib/ and asks whether a test notices: see README.md."""
