//go:build unix

package deadletter

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock waits until nobody else has locked the file, then locks it. Closing the file, or the process's end, releases it.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("locking %s: %w", f.Name(), err)
		}
	}
}

func release(f *os.File) {
	if f != nil {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing it would release it too
	}
}
