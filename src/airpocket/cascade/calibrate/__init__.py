"""What recorded markets say of the cascade's figures: impact, resilience, pull-back, retrace; with intervals."""
