"""The owner's half: it shows, decides, signs and executes, and holds every credential that can act."""
