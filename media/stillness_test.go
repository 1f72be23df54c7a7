package media

import (
	"testing"
	"time"
)

// play plays packets of a size, ten a second with a keyframe each second, with two looks
// a second, and returns when sizes rise, if nothing was wrong before, or pictures were
// still for long enough.
func (s *stillness) play(from time.Duration, n, size int, moves bool) (at time.Duration, rises, rests bool) {
	awake := s.awaken
	for i := range n {
		at = from + time.Duration(i)*time.Second/10
		if s.packet(i%10 == 0, map[bool]int{true: 20_000, false: size}[i%10 == 0]) && !awake {
			return at, true, false
		}
		if i%5 == 0 {
			s.look(at, moves)
		}
		if i%10 == 9 && s.still(at, time.Second) {
			return at, false, true
		}
	}
	return at, false, false
}

func TestStillnessIsLearnedFromPictures(t *testing.T) {
	s := &stillness{}
	if at, _, rests := s.play(0, 300, 100, true); rests {
		t.Fatalf("at rest after %v, although pictures move", at)
	}
	at, _, rests := s.play(time.Minute, 300, 100, false)
	if d := at - time.Minute; !rests || d < leastCalm || d > 2*leastCalm {
		t.Fatalf("at rest: %v, after %v", rests, d)
	}
	s.learn()
	if at, rises, _ := s.play(2*time.Minute, 100, 110, false); rises {
		t.Errorf("a tenth more counts as a rise after %v", at)
	}
	at, rises, _ := s.play(3*time.Minute, 100, 220, false)
	if d := at - 3*time.Minute; !rises || d > time.Second/2 {
		t.Errorf("twice as much counts as a rise: %v, after %v", rises, d)
	}

	// It was noise: from then on it is usual.
	s.wake(3*time.Minute, true, false)
	if _, _, rests := s.play(4*time.Minute, 300, 220, false); !rests {
		t.Fatal("not at rest with more noise")
	}
	s.learn()
	if _, rises, _ := s.play(5*time.Minute, 100, 220, false); rises {
		t.Error("what was found to be noise counts as a rise")
	}
	for range 100 { // the light comes on again, and with it the noise goes
		s.play(6*time.Minute, 20, 100, false)
		s.ease()
	}
	if _, rises, _ := s.play(7*time.Minute, 100, 220, false); !rises {
		t.Error("what was usual in the dark is still usual in the light")
	}
}

// Sizes that did not show what moved are believed after a longer rest only.
func TestSizesThatMissedSomethingAreBelievedLess(t *testing.T) {
	s := &stillness{}
	rest := func(from time.Duration) time.Duration {
		t.Helper()
		at, _, rests := s.play(from, 1200, 100, false)
		if !rests {
			t.Fatal("never at rest")
		}
		s.learn()
		return at - from
	}
	first := rest(0)
	s.wake(time.Minute, false, true)
	s.look(time.Minute, true) // and sizes don't rise
	if second := rest(time.Minute); second < 2*first-time.Second {
		t.Errorf("at rest after %v, and then after %v", first, second)
	}
	s.wake(2*time.Minute, false, true) // and nothing is seen to move
	rest(2 * time.Minute)
	s.wake(3*time.Minute, false, true)
	if again := rest(3 * time.Minute); again < 4*leastCalm {
		t.Errorf("at rest after %v, after a keyframe that differs for no reason", again)
	}
	for range 3 {
		s.wake(4*time.Minute, true, false)
		s.look(4*time.Minute, true) // it was right
	}
	if third := rest(4 * time.Minute); third > first {
		t.Errorf("at rest after %v, once sizes had been right", third)
	}
}

// What begins with a keyframe shows in the sizes of the packets after it, and not before.
func TestSizesThatRiseAfterAKeyframeAreBelieved(t *testing.T) {
	s := &stillness{}
	if _, _, rests := s.play(0, 300, 100, false); !rests {
		t.Fatal("never at rest")
	}
	s.learn()
	s.wake(time.Minute, false, true)
	s.look(time.Minute, true)
	for range 20 {
		s.packet(false, 1000)
	}
	s.look(time.Minute+time.Second, true)
	for range recentPackets {
		s.packet(false, 100)
	}
	at, _, rests := s.play(2*time.Minute, 300, 100, false)
	if d := at - 2*time.Minute; !rests || d >= leastCalm {
		t.Errorf("at rest: %v, after %v, want it sooner than where nothing is known", rests, d)
	}
}

// Nothing moves, but who has just come to know what is usual, or saw sizes rise, can't be
// sure.
func TestNothingMovesAsUsual(t *testing.T) {
	s := &stillness{}
	s.look(0, false)
	if s.asUsual() {
		t.Error("nothing is known, and all is as usual")
	}
	s.play(time.Second, 300, 100, false)
	s.learn()
	s.wake(time.Minute, true, false)
	if s.asUsual() {
		t.Error("sizes rose, and all is as usual")
	}
	s.look(time.Minute+time.Second, true)
	if s.asUsual() {
		t.Error("something moves, and all is as usual")
	}
	s.play(time.Minute+2*time.Second, 20, 100, false)
	if !s.asUsual() {
		t.Error("after it had moved, nothing is as usual any more")
	}
}

// Where packets are not much smaller than keyframes while nothing moves, as of cameras with
// a constant bit rate, sizes say nothing.
func TestFilledPacketsSayNothing(t *testing.T) {
	s := &stillness{}
	if at, _, rests := s.play(0, 600, 4_000, false); rests {
		t.Errorf("at rest after %v", at)
	}
}
