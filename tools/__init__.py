"""What a person runs: demo, deploy, images, energy, documentation, check, bench. CPython unless a module says otherwise."""
