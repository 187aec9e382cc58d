"""What privacy costs, measured: AUC against epsilon over many draws of the noise."""
