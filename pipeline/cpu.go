package pipeline

import "context"

// Gate bounds how many goroutines decode and encode at once. A goroutine in the gate holds one of its slots; while it
// waits for a network or a disk it lends the slot to others (see Blocking).
type Gate chan struct{}

// NewGate returns a gate of n slots.
func NewGate(n int) Gate { return make(Gate, n) }

type gateKey struct{}

// Enter waits for a slot and returns a context that carries it. leave gives the slot back; it is called once.
func (g Gate) Enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	select {
	case g <- struct{}{}:
		return context.WithValue(ctx, gateKey{}, g), func() { <-g }, nil
	case <-ctx.Done():
		return ctx, func() {}, ctx.Err()
	}
}

// outside returns ctx without its slot, for a goroutine of its own.
func outside(ctx context.Context) context.Context { return context.WithValue(ctx, gateKey{}, nil) }

// Blocking runs f, which may wait for a network or a disk, without holding the caller's slot of the CPU gate. Sources call
// it for every such wait inside Records. Where ctx carries no slot it just runs f.
func Blocking(ctx context.Context, f func()) {
	g, ok := ctx.Value(gateKey{}).(Gate)
	if !ok {
		f()
		return
	}
	<-g
	defer func() { g <- struct{}{} }()
	f()
}

// yield lets whoever waits for the caller's slot of the CPU gate go first, in order of arrival.
func yield(ctx context.Context) { Blocking(ctx, func() {}) }
