"""The census: public accounts met, asked within the venue's budget, and kept with the moment each was heard."""
