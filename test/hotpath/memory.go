package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// memory is by how many bytes the process's resident memory grows at most while the path takes one file of 40,000 records,
// and the file's size before compression. The file is on disk, and its lines leave as they are compressed.
func memory() (grown, size int64, err error) {
	c, err := makeCorpus(1, 40_000)
	if err != nil {
		return 0, 0, err
	}
	f := newFloor()
	f.source.Reset(c.files[0])
	if err := f.unzip.Reset(&f.source); err != nil {
		return 0, 0, err
	}
	var counted counter
	if _, err := f.unzip.WriteTo(&counted); err != nil {
		return 0, 0, err
	}
	f = nil
	debug.FreeOSMemory()
	idle, err := status("VmRSS")
	if err != nil {
		return 0, 0, err
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak begins anew
		return 0, 0, err
	}
	p := newPath()
	p.keep = func([]byte) { p.packed = bytes.Buffer{} } // sent
	if err := p.run(c.files[0], c.records); err != nil {
		return 0, 0, err
	}
	peak, err := status("VmHWM")
	runtime.KeepAlive(c)
	return peak - idle, int64(counted), err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// status is a size that Linux knows of this process, in bytes.
func status(name string) (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var size int64
		if n, _ := fmt.Sscanf(line, name+": %d kB", &size); n == 1 {
			return size << 10, nil
		}
	}
	return 0, fmt.Errorf("there is no %s in this process's status", name)
}
