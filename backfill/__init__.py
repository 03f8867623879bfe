"""Moving history into the models; imports models only."""
