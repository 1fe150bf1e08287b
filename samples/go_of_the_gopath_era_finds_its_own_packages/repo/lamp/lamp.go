// Package lamp knows the lamps of buoys.
package lamp

import "github.com/harbour-office/plural"

// Say tells about one buoy.
func Say(number int) string {
	return plural.One("buoy", number) + " is lit"
}
