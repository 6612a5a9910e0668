"""The cloud half: it watches, triages and drafts, and holds nothing that can act."""
