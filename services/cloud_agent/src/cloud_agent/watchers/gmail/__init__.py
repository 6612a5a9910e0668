"""Gmail read through its API, with a grant that Google itself holds to reading."""
