"""What is wrong with gradients found by hand: which single mistake gives the learner's numbers.

- compare: `compare_gradients`, and the judgements that it returns
- precision: how far a right gradient may be from the exact one
- mistakes: every mistake that is known, and the search for the one that was made
- slips: those that the formula of a derivative invites
- backward_pass: the right gradients, and those that follow from the learner's mistakes
- wording: the sentences
"""
