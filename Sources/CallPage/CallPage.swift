/// The page for calls in a browser, compiled into the binary: the server needs no file beside it.
///
/// Its sources are the files below `web/`. SwiftPM turns each into a constant named after the file; `files` gives
/// them their paths back. The page holds no inline script or style and loads nothing from elsewhere, so that it
/// works under the strictest content security policy.
public enum CallPage {
    /// The asset at an absolute path, `/` being the page itself; `nil` if there is none.
    public static func asset(_ path: String) -> Asset? {
        assets[path == "/" ? "/index.html" : path]
    }

    /// The paths of all assets, sorted.
    public static var paths: [String] { assets.keys.sorted() }

    private static let assets: [String: Asset] = files.reduce(into: [:]) { assets, file in
        assets[file.key] = Asset(path: file.key, bytes: file.value)
    }

    private static var files: KeyValuePairs<String, [UInt8]> {
        [
            "/index.html": PackageResources.index_html,
            "/favicon.svg": PackageResources.favicon_svg,
            "/icons.svg": PackageResources.icons_svg,
            "/path.svg": PackageResources.path_svg,
            "/css/base.css": PackageResources.base_css,
            "/css/call.css": PackageResources.call_css,
            "/css/room.css": PackageResources.room_css,
            "/js/account.js": PackageResources.account_js,
            "/js/api.js": PackageResources.api_js,
            "/js/call.js": PackageResources.call_js,
            "/js/call-view.js": PackageResources.call_view_js,
            "/js/connection-note.js": PackageResources.connection_note_js,
            "/js/credentials.js": PackageResources.credentials_js,
            "/js/dev-app.js": PackageResources.dev_app_js,
            "/js/dom.js": PackageResources.dom_js,
            "/js/homeserver.js": PackageResources.homeserver_js,
            "/js/identity.js": PackageResources.identity_js,
            "/js/incoming-view.js": PackageResources.incoming_view_js,
            "/js/ledger.js": PackageResources.ledger_js,
            "/js/lobby-view.js": PackageResources.lobby_view_js,
            "/js/locks.js": PackageResources.locks_js,
            "/js/main.js": PackageResources.main_js,
            "/js/matrix-app.js": PackageResources.matrix_app_js,
            "/js/media.js": PackageResources.media_js,
            "/js/media-states.js": PackageResources.media_states_js,
            "/js/mesh.js": PackageResources.mesh_js,
            "/js/names.js": PackageResources.names_js,
            "/js/outbox.js": PackageResources.outbox_js,
            "/js/peer.js": PackageResources.peer_js,
            "/js/received.js": PackageResources.received_js,
            "/js/room-names.js": PackageResources.room_names_js,
            "/js/room-view.js": PackageResources.room_view_js,
            "/js/rooms.js": PackageResources.rooms_js,
            "/js/rooms-view.js": PackageResources.rooms_view_js,
            "/js/session.js": PackageResources.session_js,
            "/js/settings.js": PackageResources.settings_js,
            "/js/sign-in-view.js": PackageResources.sign_in_view_js,
            "/js/socket.js": PackageResources.socket_js,
            "/js/socket-login.js": PackageResources.socket_login_js,
            "/js/sso.js": PackageResources.sso_js,
            "/js/stage.js": PackageResources.stage_js,
            "/js/stats.js": PackageResources.stats_js,
            "/js/stats-view.js": PackageResources.stats_view_js,
            "/js/tabs.js": PackageResources.tabs_js,
            "/js/tiles.js": PackageResources.tiles_js,
            "/js/tones.js": PackageResources.tones_js,
            "/js/visit.js": PackageResources.visit_js,
            "/js/words.js": PackageResources.words_js,
        ]
    }
}
