module example.com/tidepool

go 1.22
