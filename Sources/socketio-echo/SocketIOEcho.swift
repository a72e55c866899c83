@main
struct SocketIOEcho {
    static func main() {}
}
