"""What `payresult doctor` checks: a small function for each check, by what it looks at.

``check`` has what each of them gets and returns, ``run`` the list of all and how they are run.
"""
