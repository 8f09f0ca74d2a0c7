"""What the engine's trained parts are made from; not part of the wheel."""
