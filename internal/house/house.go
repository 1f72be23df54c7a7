// Package house holds the test that keeps every package on its floor.
package house
