//! Where the streams wait for what is told: in rooms of thirty or so, told one after the other.
//!
//! Telling a stream costs some 8 µs, most of it the kernel's, so a crowd takes its time: ten thousand nearly a tenth of a
//! second. Told all at once, whoever asks for anything else meanwhile would wait for the last of them. So the crowd is told
//! room by room, and what is asked is answered in between; and first of all those are told who came last, since they are
//! looking, and those who came first, so that no crowd makes them wait.
//!
//! Clauses that hold:
//! - *in order*: one teller passes each message to every room before it takes the next, so each stream sees the messages in
//!   their order. A stream that joins while a message is passed on may see that one although it knows its state already;
//! - *bounded*: a room is opened only where all others are more than half full, so there are at most two for each thirty
//!   streams that were ever open at once, however they come and go.

use tokio::sync::broadcast::{Receiver, Sender, channel};

/// How many streams one room has. They are told together: a quarter of a millisecond of a processor, so that those who are
/// told first hardly wait for each other. (With 128 it was 2 ms more for them beside ten thousand.)
const ROOM: usize = 32;
/// How many messages are kept for streams that are slow to take them.
const QUEUE: usize = 64;

/// The rooms, those who came first in the first.
pub struct Rooms<M>(Vec<Sender<M>>);

impl<M: Clone> Rooms<M> {
    /// No one is there.
    pub const fn new() -> Self {
        Rooms(Vec::new())
    }

    /// A place, in the last room.
    pub fn join(&mut self) -> Receiver<M> {
        if let Some(last) = self.0.last()
            && last.receiver_count() < ROOM
        {
            return last.subscribe();
        }
        // One that most have left becomes the last.
        if let Some(left) = self.0.iter().position(|room| room.receiver_count() <= ROOM / 2) {
            let room = self.0.remove(left);
            let place = room.subscribe();
            self.0.push(room);
            return place;
        }
        let (room, place) = channel(QUEUE);
        self.0.push(room);
        place
    }

    /// The rooms in the order in which they are told: the last, the first, and those between them.
    pub fn in_turn(&mut self) -> Vec<Sender<M>> {
        self.0.retain(|room| room.receiver_count() > 0);
        let mut in_turn = self.0.clone();
        if let Some(last) = in_turn.pop() {
            in_turn.insert(0, last);
        }
        in_turn
    }
}

/// Tells each room in turn; between two of them, others on the same threads have theirs.
pub async fn tell<M: Clone>(rooms: Vec<Sender<M>>, message: M) {
    for room in rooms {
        // An error only says that all of them have left.
        let _ = room.send(message.clone());
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(rooms: &Rooms<u32>) -> Vec<usize> {
        rooms.0.iter().map(Sender::receiver_count).collect()
    }

    #[tokio::test]
    async fn each_is_told_once_those_who_came_last_or_first_before_the_others() {
        let mut rooms = Rooms::new();
        let mut places: Vec<Receiver<u32>> = (0..3 * ROOM + 1).map(|_| rooms.join()).collect();
        assert_eq!(sizes(&rooms), [ROOM, ROOM, ROOM, 1]);
        let in_turn = rooms.in_turn();
        let order: Vec<usize> =
            in_turn.iter().filter_map(|told| rooms.0.iter().position(|room| room.same_channel(told))).collect();
        assert_eq!(order, [3, 0, 1, 2]);
        tell(in_turn, 7).await;
        for place in &mut places {
            assert_eq!(place.try_recv().ok(), Some(7));
            assert!(place.try_recv().is_err(), "told twice");
        }
    }

    #[tokio::test]
    async fn who_joins_while_a_message_is_passed_on_waits_for_no_one_and_nobody_keeps_a_stream_open() {
        let mut rooms = Rooms::new();
        let mut first = rooms.join();
        let in_turn = rooms.in_turn();
        let mut late = rooms.join();
        tell(in_turn, 1).await;
        assert_eq!((first.try_recv().ok(), late.try_recv().ok()), (Some(1), Some(1)));
        drop(rooms);
        assert!(matches!(first.recv().await, Err(tokio::sync::broadcast::error::RecvError::Closed)));
    }

    #[test]
    fn streams_that_come_and_go_leave_no_empty_rooms_behind() {
        let mut rooms: Rooms<u32> = Rooms::new();
        let mut stay = Vec::new();
        // One of each room stays.
        for _ in 0..200 {
            let mut come: Vec<_> = (0..ROOM).map(|_| rooms.join()).collect();
            stay.extend(come.pop());
        }
        assert_eq!(sizes(&rooms).iter().sum::<usize>(), stay.len());
        assert!(rooms.0.len() <= 2 * (stay.len() + ROOM) / ROOM + 1, "{:?}", sizes(&rooms));
        drop(stay);
        assert!(rooms.in_turn().is_empty() && rooms.0.is_empty());
        // A room that most have left is the last from then on.
        let mut places: Vec<_> = (0..2 * ROOM).map(|_| rooms.join()).collect();
        places.drain(..ROOM / 2);
        let _new = rooms.join();
        assert_eq!(sizes(&rooms), [ROOM, ROOM / 2 + 1]);
    }
}
