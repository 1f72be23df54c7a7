package e2e

import (
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// fingers are where fingers touch the window.
type fingers [][2]float64

// useFingers lets the page have a screen that is touched, or no longer.
func (b browser) useFingers(on bool) {
	b.t.Helper()
	if _, err := chromedp.Call(b, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: on, MaxTouchPoints: 2}); err != nil {
		b.t.Fatal(err)
	}
}

// touch puts fingers down, moves them to each of the other places, and lifts them.
func (b browser) touch(down fingers, to ...fingers) {
	b.t.Helper()
	send := func(kind input.DispatchTouchEventType, at fingers) {
		points := []*input.TouchPoint{}
		for i, p := range at {
			id := float64(i)
			points = append(points, &input.TouchPoint{X: p[0], Y: p[1], ID: &id})
		}
		if _, err := chromedp.Call(b, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
			b.t.Fatalf("%s at %v: %v", kind, at, err)
		}
	}
	send(input.DispatchTouchEventTypeTouchStart, down)
	for _, at := range to {
		send(input.DispatchTouchEventTypeTouchMove, at)
	}
	send(input.DispatchTouchEventTypeTouchEnd, nil)
}
