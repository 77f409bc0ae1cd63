package server

import (
	"context"
	"fmt"
	"time"

	"backoffice/internal/audit"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	auditEvents    = prometheus.NewDesc("backoffice_audit_events", "Events in the audit log.", nil, nil)
	auditSigned    = prometheus.NewDesc("backoffice_audit_signed_events", "Events that the last signed head covers.", nil, nil)
	auditSignedAt  = prometheus.NewDesc("backoffice_audit_signed_timestamp_seconds", "When the last head was signed. Absent if none was.", nil, nil)
	auditChecked   = prometheus.NewDesc("backoffice_audit_checked_events", "Events that the check of the whole log has passed since it began.", nil, nil)
	auditCheckedAt = prometheus.NewDesc("backoffice_audit_checked_timestamp_seconds", "When the last check of the whole log ended well. Absent while one is under way, and after a fault.", nil, nil)
	auditAlarms    = prometheus.NewDesc("backoffice_audit_alarms", "What does not hold about the audit log: each needs a person.", nil, nil)
	auditAnchored  = prometheus.NewDesc("backoffice_audit_anchored_events", "Events that the last head at a place covers.", []string{"place"}, nil)
	auditUnplaced  = prometheus.NewDesc("backoffice_audit_anchor_failures_total", "Failed tries to bring a head to a place since the program started.", []string{"place"}, nil)
	auditBehind    = prometheus.NewDesc("backoffice_audit_ship_behind_events", "Events that are not copied yet to where --audit-ship sends them.", []string{"to"}, nil)
	auditUnshipped = prometheus.NewDesc("backoffice_audit_ship_failures_total", "Failed tries to copy events since the program started.", []string{"to"}, nil)
)

var (
	auditArchived   = prometheus.NewDesc("backoffice_audit_archived_events", "Events that are in archive files only. Absent without --audit-keep-days.", nil, nil)
	auditUnarchived = prometheus.NewDesc("backoffice_audit_archive_failures_total", "Failed tries to archive events since the program started.", nil, nil)
)

// auditGauges tells how the audit log stands at the moment of asking.
type auditGauges struct{ Deps }

// Describe sends all that there may be.
func (auditGauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{auditEvents, auditSigned, auditSignedAt, auditChecked, auditCheckedAt, auditAlarms, auditAnchored, auditUnplaced,
		auditBehind, auditUnshipped, auditArchived, auditUnarchived} {
		ch <- d
	}
}

// Collect sends the state of now, or an error that Gather returns.
func (g auditGauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := g.AuditState(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(auditEvents, fmt.Errorf("reading how the audit log stands: %w", err))
		return
	}
	collectAudit(ch, s)
}

func collectAudit(ch chan<- prometheus.Metric, s audit.State) {
	ch <- gauge(auditEvents, float64(s.Events))
	ch <- gauge(auditSigned, float64(s.Head.Size))
	if !s.Head.Time.IsZero() {
		ch <- gauge(auditSignedAt, float64(s.Head.Time.Unix()))
	}
	ch <- gauge(auditChecked, float64(s.Check.Done))
	if !s.Check.Ended.IsZero() {
		ch <- gauge(auditCheckedAt, float64(s.Check.Ended.Unix()))
	}
	ch <- gauge(auditAlarms, float64(len(s.Alarms())))
	for _, a := range s.Anchors {
		ch <- gauge(auditAnchored, float64(a.Size), a.Place)
		ch <- prometheus.MustNewConstMetric(auditUnplaced, prometheus.CounterValue, float64(a.Failures), a.Place)
	}
	if s.Ship != nil {
		ch <- gauge(auditBehind, float64(max(0, s.Events-s.Ship.Next)), s.Ship.To)
		ch <- prometheus.MustNewConstMetric(auditUnshipped, prometheus.CounterValue, float64(s.Ship.Failures), s.Ship.To)
	}
	if s.Archive != nil {
		ch <- gauge(auditArchived, float64(s.Archive.Dropped))
		ch <- prometheus.MustNewConstMetric(auditUnarchived, prometheus.CounterValue, float64(s.Archive.Failures))
	}
}
