import PacketIO
import Synchronization

/// What the rest of the server may ask of a shard.
enum ShardCommand: Sendable {
    /// Take no new allocation; end at the deadline (monotonic nanoseconds), or when none is left.
    case drain(deadlineNanoseconds: UInt64)
}

/// The only way into a running shard: a bounded list and a bell.
final class Mailbox: Sendable {
    /// Commands that may wait; control is rare, and a shard looks at every pass.
    static let limit = 64

    let wakeup: Wakeup
    private let waiting = Mutex<[ShardCommand]>([])

    init() throws(SystemError) {
        wakeup = try Wakeup()
    }

    /// Leaves a command. False if too many wait already.
    func post(_ command: ShardCommand) -> Bool {
        let fitted = waiting.withLock { commands in
            guard commands.count < Mailbox.limit else { return false }
            commands.append(command)
            return true
        }
        wakeup.signal()
        return fitted
    }

    /// Takes all commands, oldest first.
    func collect() -> [ShardCommand] {
        wakeup.clear()
        return waiting.withLock { commands in
            defer { commands.removeAll() }
            return commands
        }
    }
}
