package ui

import "embed"

//go:embed build
var Pages embed.FS
