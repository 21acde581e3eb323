package main

import (
	"bytes"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// measured is what the files of a corpus took, as medians of all rounds.
type measured struct {
	corpus                 *corpus
	inflate, deflate, path time.Duration
	ratio                  float64
	allocated              uint64 // by one round of the path
}

// each is a record's share.
func (m *measured) each(of time.Duration) string {
	return fmt.Sprintf("%.2f µs", float64(of.Nanoseconds())/1e3/float64(m.corpus.records))
}

func (m *measured) allocations() string {
	return fmt.Sprintf("%.4f a record, %.1f a file",
		float64(m.allocated)/float64(m.corpus.records), float64(m.allocated)/float64(len(m.corpus.files)))
}

// turn is how many records the path and its floor take before the other's turn comes: few, so that whatever else the
// machine does falls on both alike.
const turn = 2000

// compare lets the path and its floor take turns on one core.
func compare(c *corpus, rounds int) (*measured, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p, f := newPath(), newFloor()
	bodies, err := bodiesOf(c)
	if err != nil {
		return nil, err
	}
	if _, err := p.all(c); err != nil { // its buffers grow
		return nil, err
	}
	m := &measured{corpus: c}
	var inflate, deflate, whole []time.Duration
	var ratios []float64
	for range rounds {
		runtime.GC()
		before := allocations()
		in, out, all, err := round(c, bodies, p, f)
		if err != nil {
			return nil, err
		}
		m.allocated = allocations() - before
		inflate, deflate, whole = append(inflate, in), append(deflate, out), append(whole, all)
		ratios = append(ratios, float64(all)/float64(in+out))
	}
	m.inflate, m.deflate, m.path, m.ratio = median(inflate), median(deflate), median(whole), median(ratios)
	return m, nil
}

// round is what all files took, in CPU time.
func round(c *corpus, bodies [][][]byte, p *path, f *floor) (inflate, deflate, whole time.Duration, err error) {
	perFile := c.records / len(c.files)
	step := max(turn/perFile, 1)
	for from := 0; from < len(c.files); from += step {
		to := min(from+step, len(c.files))
		part := &corpus{files: c.files[from:to], records: (to - from) * perFile}
		took, err := f.inflate(part)
		if err != nil {
			return 0, 0, 0, err
		}
		inflate += took
		if took, err = p.all(part); err != nil {
			return 0, 0, 0, err
		}
		whole += took
		deflate += f.deflate(bodies[from:to])
	}
	return inflate, deflate, whole, nil
}

// now is the CPU time that this process has had. Work that others do on a shared machine is not in it.
func now() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // its only error is a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bodiesOf are the lines that the path makes of each file.
func bodiesOf(c *corpus) ([][][]byte, error) {
	p := newPath()
	var bodies [][][]byte
	p.keep = func(lines []byte) {
		last := len(bodies) - 1
		bodies[last] = append(bodies[last], bytes.Clone(lines))
	}
	for _, file := range c.files {
		bodies = append(bodies, nil)
		if err := p.run(file, c.records/len(c.files)); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

func allocations() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}

// A worker takes the files of a corpus.
type worker interface {
	all(c *corpus) (time.Duration, error)
}

// twoCores is how many times faster two workers on two cores are than one on one, by the clock on the wall.
func twoCores[W worker](c *corpus, rounds int, one W, two [2]W) (float64, error) {
	half := [2]*corpus{
		{files: c.files[:len(c.files)/2], records: c.records / 2},
		{files: c.files[len(c.files)/2:], records: c.records / 2},
	}
	var factors []float64
	for range rounds + 1 { // buffers grow in the first
		restore := runtime.GOMAXPROCS(1)
		began := time.Now()
		_, err := one.all(c)
		alone := time.Since(began)
		runtime.GOMAXPROCS(restore)
		if err != nil {
			return 0, err
		}
		began = time.Now()
		var g errgroup.Group
		for i := range two {
			g.Go(func() error {
				_, err := two[i].all(half[i])
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return 0, err
		}
		factors = append(factors, float64(alone)/float64(time.Since(began)))
	}
	return median(factors[1:]), nil
}
