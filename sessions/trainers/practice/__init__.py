"""The practice trainer: mlagents-learn's command line, console and files, with a small learner in numpy.

It trains in seconds, needs neither torch nor Unity, and misbehaves on request (`commandline.Switches`).
Its reward is what its learner really earns.
"""
