package onvif

import (
	"context"
	"sync"
)

// describedAtOnce bounds the devices that are asked at the same time.
const describedAtOnce = 8

// DescribeAll asks devices for their streams (Device.Describe).
func DescribeAll(ctx context.Context, devices []Device, user, password string) {
	var asking sync.WaitGroup
	places := make(chan struct{}, describedAtOnce)
	for i := range devices {
		places <- struct{}{}
		asking.Go(func() {
			devices[i].Describe(ctx, user, password)
			<-places
		})
	}
	asking.Wait()
}
