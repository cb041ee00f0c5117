"""Thresholds: from where on `diagnose` speaks.

They are set so that healthy networks of all kinds, fresh and trained, stay below them: an alarm
that is false now and then is soon not read any more.
"""

# |x| from which sigmoid and tanh count as saturated: their derivative is then below 1 % of its
# largest, 0.25 and 1
SATURATED_FROM = {"sigmoid": 6.0, "tanh": 3.0}

# Share of saturated numbers in a hidden layer. Trained networks use the flat ends as on and off,
# so that half of them may lie there
SATURATED_SHARE = 0.7

# Share of outputs that are saturated on the wrong side, so that the loss pulls them back in vain.
# A network that has learnt is rarely both wrong and sure; one that starts there is wrong in half
STUCK_SHARE = 0.25

# Share of a layer's relu units that are off for every sample. Units of trained networks are
# selective, and in deep narrow ones half of them rest on a whole batch, fresh ones included; over
# a few samples that says nothing
DEAD_SHARE = 0.75
DEAD_SAMPLES = 8

# Ratio of gradients between first and last layer. Networks whose layers learn at one pace stay
# within a factor of 100; three sigmoid layers lose a factor of 10 to 100, ten a million
LAYER_RATIO = 1e3

# In graphs without layers: ratio of a leaf's gradient to that of the output, and over how many
# operations it comes about
PATH_RATIO = 1e6
PATH_STEPS = 5

# How far gradients may differ by rounding, relative to the largest of them; float32 has 6e-8
ROUNDING = 1e-3

# Update against weights, by norm. 0.001 is the rule of thumb. One above 0.2 is too large if the
# loss of the very batch it was computed from then more than doubles: on small batches, whose loss
# is soon small, steps that are right do raise it now and then
USUAL_UPDATE = 1e-3
LARGE_UPDATE = 0.2
RISEN_LOSS = 2.0

# Without a loss to try the update on, only one that is larger than the weights themselves
HUGE_UPDATE = 1.0

# Updates below this change nothing within a training of usual length; unless the gradient itself
# is small, since the network has learnt
SMALL_UPDATE = 1e-6
SMALL_GRADIENT = 1e-3
