// Package plural counts things.
package plural

import "strconv"

// One names one thing of many.
func One(thing string, number int) string {
	return thing + " " + strconv.Itoa(number)
}
