"""What is wrong with gradients found by hand: which single mistake gives the learner's numbers.

- compare: compare_gradients; judgement: what it returns; wording: the sentences
- detection: the search; mistakes: every one there is; handwork: what a mistake changes below it
- rounding: what counts as equal
"""
