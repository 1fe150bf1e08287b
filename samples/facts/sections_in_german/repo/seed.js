// writes test data
