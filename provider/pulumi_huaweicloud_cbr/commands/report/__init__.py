"""``report``: could each server be recovered in another region, and how old would it be?

`model` holds the values, `asking` reads them from CBR, `judging` computes them, `show` prints them.
What concerns one stack's owners alone belongs in `account.owners`.
"""
