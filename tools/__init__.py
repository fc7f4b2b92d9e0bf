"""Host-side tools: virtual modem, test server, demo, images. CPython unless a module says otherwise."""
