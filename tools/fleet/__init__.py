"""Many nodes at one LwM2M server: keys and provisioning from one table, updates in waves, health as one table, load."""
