package server

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	backupLast     = prometheus.NewDesc("backoffice_backup_last_timestamp_seconds", "When the last good backup in --backup-dir was made. Absent if none was.", nil, nil)
	backupBytes    = prometheus.NewDesc("backoffice_backup_last_bytes", "Its size.", nil, nil)
	backupFailures = prometheus.NewDesc("backoffice_backup_failures_total", "Backups that were not made since the program started.", nil, nil)
	backupOverdue  = prometheus.NewDesc("backoffice_backup_overdue", "1 if the schedule fails or should have made one long ago.", nil, nil)
)

// backupGauges tells how the backups stand at the moment of asking.
type backupGauges struct{ Deps }

// Describe sends all that there may be.
func (backupGauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{backupLast, backupBytes, backupFailures, backupOverdue} {
		ch <- d
	}
}

// Collect sends the state of now, or an error that Gather returns.
func (g backupGauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := g.Backups.State(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(backupLast, fmt.Errorf("reading how the backups stand: %w", err))
		return
	}
	if s.Good.File != "" {
		ch <- gauge(backupLast, float64(s.Good.Time.Unix()))
		ch <- gauge(backupBytes, float64(s.Good.Size))
	}
	ch <- prometheus.MustNewConstMetric(backupFailures, prometheus.CounterValue, float64(s.Failures))
	overdue := 0.0
	if s.Overdue || s.Failing != "" {
		overdue = 1
	}
	ch <- gauge(backupOverdue, overdue)
}
