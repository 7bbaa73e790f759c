"""Many nodes under one virtual clock and one seed, and scenarios for them."""
