package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// notify tells systemd a state of the daemon. Without systemd it does nothing.
func notify(state string, log *zap.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd cannot be told the state", zap.Error(err))
	}
}

// feedWatchdog tells systemd's watchdog, where the unit has one, that the daemon lives, for as long as alive says so and
// ctx goes on. A daemon whose loops stand still is thus restarted.
func feedWatchdog(ctx context.Context, alive func() error, log *zap.Logger) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog's interval cannot be read: it is not fed", zap.Error(err))
	}
	if err != nil || every == 0 {
		return
	}
	ticker := time.NewTicker(every / 3)
	defer ticker.Stop()
	for {
		if err := alive(); err != nil {
			log.Error("the watchdog is not fed", zap.Error(err))
		} else {
			notify(daemon.SdNotifyWatchdog, log)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
