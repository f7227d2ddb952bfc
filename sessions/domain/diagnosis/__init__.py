"""Why a training ended badly: a catalogue of causes, and finding the one that a console tells of."""
