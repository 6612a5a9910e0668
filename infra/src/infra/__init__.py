"""Production on Oracle Cloud: `__main__` puts components together by what `settings` say and `conventions` decide."""
