"""The configuration, understood: every setting of mlagents-learn, what is wrong with a file, and where it stands."""
