package main

import (
	"os"
	"testing"
)

func TestListen(t *testing.T) {
	if os.Getenv("SHELF_TEST_DSN") == "" {
		t.Skip()
	}
}
