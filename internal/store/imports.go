package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/statusbridge/statusbridge/internal/status"
)

// importChunk bounds the rows of one transaction of an import.
const importChunk = 1000

// Import takes over subscribers from elsewhere (of each, the email, the
// components, scope, language and time zone are read). Those who are here
// already stay as they are. Confirmed ones get mail from now on; the others are
// asked first. It reports how many are new; dry only counts them.
func (s *Store) Import(ctx context.Context, now time.Time, rows []status.Subscriber, confirmed, dry bool) (added int, err error) {
	for len(rows) > 0 {
		some := rows[:min(len(rows), importChunk)]
		rows = rows[len(some):]
		var n int
		if dry {
			n, err = s.unknown(ctx, some)
		} else {
			n, err = s.importSome(ctx, now, some, confirmed)
		}
		if err != nil {
			return added, fmt.Errorf("import subscribers: %w", err)
		}
		added += n
	}
	if added > 0 && !dry && !confirmed {
		s.wakes.saved(0)
	}
	return added, nil
}

// unknown counts the addresses that are not here yet.
func (s *Store) unknown(ctx context.Context, rows []status.Subscriber) (int, error) {
	emails := map[string]bool{}
	for _, r := range rows {
		emails[address(r.Email)] = true
	}
	var all []string
	for e := range emails {
		all = append(all, e)
	}
	known, err := scalar[int](ctx, s.read, "SELECT COUNT(*) FROM subscribers WHERE email IN "+s.dialect.elements("?"), list(all))
	return len(all) - known, err
}

func (s *Store) importSome(ctx context.Context, now time.Time, rows []status.Subscriber, confirmed bool) (added int, err error) {
	var fresh []status.Subscriber
	var ids []string
	for _, r := range rows {
		sub := status.Subscriber{
			ID: rand.Text(), Email: address(r.Email), Components: r.Components, Scope: r.Scope, Language: r.Language, TimeZone: r.TimeZone,
			Token: rand.Text(), ConfirmToken: rand.Text(), CreatedAt: now,
		}
		if confirmed {
			sub.ConfirmedAt = now
		} else {
			sub.ConfirmSentAt = now
		}
		fresh, ids = append(fresh, sub), append(ids, sub.ID)
	}
	err = inTx(ctx, s.write, func(tx *sqlx.Tx) (err error) {
		if added, err = subscribers.insert(ctx, tx, s.dialect, keep, 0, fresh); err != nil || confirmed {
			return err
		}
		asked, err := subscribers.list(ctx, tx, "WHERE id IN "+s.dialect.elements("?"), list(ids))
		if err != nil {
			return err
		}
		var mails []status.Delivery
		for _, sub := range asked {
			d := question(sub, now)
			d.Priority = status.PriorityNormal // nobody waits for so many
			mails = append(mails, d)
		}
		_, err = deliveries.insert(ctx, tx, s.dialect, keep, 0, mails)
		return err
	})
	return added, err
}
