"""The accounting worker: reads bills and requests for invoices, drafts in the books, and puts the posting up."""
